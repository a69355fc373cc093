import { IcecoreError } from '../errors.ts';

/** Of catalogs and file systems, by the names that Java's clients and PyIceberg have for them. */
const clientProperty =
  /^(?:(?:s3|client|signer|adls|gcs|hdfs|hf|header|auth|rest)\..*|py-io-impl|io-impl|uri|token|credential|oauth2-server-uri)$/;

/**
 * Some clients, PyIceberg among them, take a table's properties for their own set-up. Whoever may write a table could so have everybody who
 * reads it send their key to another server, or read other files. Throws FORBIDDEN for such a property.
 */
export function requireNoClientProperties(properties: Readonly<Record<string, string>>, table: string): void {
  const name = Object.keys(properties).find((property) => clientProperty.test(property.toLowerCase()));
  if (name === undefined) return;
  throw new IcecoreError(
    'FORBIDDEN',
    `The property ${name} of ${table} would set up the clients that read it, and is none of a table: set it in the client, or have the server's operator give clients their settings.`,
    { context: { property: name } },
  );
}
