package org.apache.iceberg.rest;

import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * The catalog of the kit's fixtures on a free port of 127.0.0.1, which is all that it prints; the fixtures' own launcher listens on
 * every interface. Its settings are the fixtures': {@code CATALOG_*} of the environment.
 */
public class ReferenceCatalog {
  public static void main(String[] arguments) throws Exception {
    Method open = RESTCatalogServer.class.getDeclaredMethod("initializeBackendCatalog");
    open.setAccessible(true);
    Object backend = open.invoke(new RESTCatalogServer(Map.of()));
    RESTCatalogServlet servlet =
        new RESTCatalogServlet(new RESTServerCatalogAdapter((RESTCatalogServer.CatalogContext) backend));
    ServletContextHandler root = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    root.addServlet(new ServletHolder(servlet), "/*");
    Server server = new Server(new InetSocketAddress("127.0.0.1", 0));
    server.setHandler(root);
    server.start();
    System.out.println(((ServerConnector) server.getConnectors()[0]).getLocalPort());
    // Ends with whoever started it, however that ends.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
