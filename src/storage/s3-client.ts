import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { storageAttemptsMax, storageConnectMsMax, storageIdleMsMax, storageRequestMsMax, storageSocketsMax } from '../limits.ts';

/** Keys of an identity in a store. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Where they are good for a while only. */
  readonly expiration?: Date;
}

/** The keys that `s3ClientFrom` signs with, looked up when they are first asked for, and again before they expire. */
export function s3KeysFrom(environment: NodeJS.ProcessEnv): () => Promise<S3Keys> {
  let client: S3Client | null = null;
  return async () => {
    client ??= s3ClientFrom(environment);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await client.config.credentials();
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(expiration === undefined ? {} : { expiration }),
    };
  };
}

/** The region that `s3ClientFrom` signs for. */
export async function s3RegionFrom(environment: NodeJS.ProcessEnv): Promise<string> {
  return await s3ClientFrom(environment).config.region();
}

/**
 * A client set up by the environment: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or
 * `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` (otherwise the SDK's
 * chain of profiles and instance roles), `AWS_S3_FORCE_PATH_STYLE` (true by default where an endpoint is given).
 */
export function s3ClientFrom(environment: NodeJS.ProcessEnv): S3Client {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION;
  const config: S3ClientConfig = {
    maxAttempts: storageAttemptsMax,
    retryMode: 'adaptive',
    followRegionRedirects: endpoint === undefined,
    requestHandler: {
      connectionTimeout: storageConnectMsMax,
      requestTimeout: storageRequestMsMax,
      throwOnRequestTimeout: true,
      socketTimeout: storageIdleMsMax,
      httpAgent: { keepAlive: true, maxSockets: storageSocketsMax },
      httpsAgent: { keepAlive: true, maxSockets: storageSocketsMax },
    },
  };
  if (environment.AWS_ACCESS_KEY_ID && environment.AWS_SECRET_ACCESS_KEY) {
    config.credentials = {
      accessKeyId: environment.AWS_ACCESS_KEY_ID,
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
      ...(environment.AWS_SESSION_TOKEN ? { sessionToken: environment.AWS_SESSION_TOKEN } : {}),
    };
  }
  if (region) config.region = region;
  if (endpoint) {
    config.endpoint = endpoint;
    config.forcePathStyle = environment.AWS_S3_FORCE_PATH_STYLE !== 'false';
    config.region ??= 'us-east-1';
    // Amazon's newer checksums are not understood by every store that speaks S3.
    config.requestChecksumCalculation = 'WHEN_REQUIRED';
    config.responseChecksumValidation = 'WHEN_REQUIRED';
  }
  return new S3Client(config);
}
