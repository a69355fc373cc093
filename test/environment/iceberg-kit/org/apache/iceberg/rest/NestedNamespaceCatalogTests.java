package org.apache.iceberg.rest;

import java.io.IOException;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The kit's table tests with what no switch of the kit turns on: nested namespaces, slashes in names, and locations that are never
 * used twice. With {@code -Dkit.location=URI} the tables that the kit would make under {@code file:/tmp} are made there.
 */
public class NestedNamespaceCatalogTests extends RESTCompatibilityKitCatalogTests {
  /** The next class wants none of the tests' namespaces. */
  @AfterAll
  static void purge() throws IOException {
    try (RESTCatalog catalog = RCKUtils.initCatalogClient()) {
      RCKUtils.purgeCatalogTestEntries(catalog);
    }
  }

  /** One of the kit's two tests of nested namespaces leaves it; the other wants it away. */
  @AfterEach
  void dropParent() {
    catalog().dropNamespace(Namespace.of("parent"));
  }

  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }

  @Override
  protected String baseTableLocation(TableIdentifier identifier) {
    String location = System.getProperty("kit.location");
    return location == null
        ? super.baseTableLocation(identifier)
        : location + "/" + identifier.namespace() + "/" + identifier.name();
  }

  /** The kit disables it because the catalog of its own fixtures would need a setting. */
  @Override
  @Test
  public void createTableInUniqueLocation() {
    super.createTableInUniqueLocation();
  }
}
