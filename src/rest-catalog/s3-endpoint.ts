import { IcecoreError } from '../errors.ts';

/** How clients reach a store that speaks S3: nothing secret. */
export interface S3Endpoint {
  /** `https://host[:port]`; null for Amazon's own, by region. */
  readonly url: string | null;
  readonly region: string | null;
  /** Whether the bucket stands in the path, not in the host's name. */
  readonly isPathStyle: boolean;
}

/** What may be said of a store in a configuration; null for what is not said. */
export interface S3EndpointSetting {
  readonly endpoint: string | null;
  readonly region: string | null;
  readonly pathStyle: boolean | null;
}

/** Path style by default where an endpoint is given, as for this server itself. Throws BAD_USER_INPUT for a URL that is none. */
export function s3Endpoint({ endpoint, region, pathStyle }: S3EndpointSetting, where: string): S3Endpoint {
  return { url: endpoint === null ? null : originOf(endpoint, where), region, isPathStyle: pathStyle ?? endpoint !== null };
}

/** The server's own, as `s3ClientFrom` reads it from the environment. */
export function ownS3Endpoint(environment: NodeJS.ProcessEnv): S3Endpoint {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || null;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || (endpoint === null ? null : 'us-east-1');
  const pathStyle = endpoint === null ? null : environment.AWS_S3_FORCE_PATH_STYLE !== 'false';
  return s3Endpoint({ endpoint, region, pathStyle }, 'AWS_ENDPOINT_URL_S3');
}

/** As Iceberg's clients know it: properties of a catalog or a table. */
export function endpointProperties({ url, region, isPathStyle }: S3Endpoint): Readonly<Record<string, string>> {
  return {
    ...(url === null ? {} : { 's3.endpoint': url }),
    ...(region === null ? {} : { 's3.region': region, 'client.region': region }),
    ...(isPathStyle ? { 's3.path-style-access': 'true' } : {}),
  };
}

function originOf(endpoint: string, where: string): string {
  const url = URL.parse(endpoint);
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol) && url.pathname === '/') return url.origin;
  // Not shown: it might hold a password.
  throw new IcecoreError('BAD_USER_INPUT', `${where}: the endpoint of an S3 store is written https://host or https://host:port.`);
}
