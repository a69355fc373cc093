package org.apache.iceberg.rest;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;

/** The kit's view tests. With {@code -Dkit.location=URI} the views that it would put into a directory of this machine are there. */
public class LocatedViewCatalogTests extends RESTCompatibilityKitViewCatalogTests {
  /** The next class wants none of the tests' namespaces. */
  @AfterAll
  static void purge() throws IOException {
    try (RESTCatalog catalog = RCKUtils.initCatalogClient()) {
      RCKUtils.purgeCatalogTestEntries(catalog);
    }
  }

  @Override
  protected String viewLocation(String... paths) {
    String location = System.getProperty("kit.location");
    if (location == null) return super.viewLocation(paths);
    StringBuilder view = new StringBuilder(location).append("/views");
    for (String path : paths) view.append('/').append(path);
    return view.toString();
  }
}
