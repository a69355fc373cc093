import { S3ServiceException } from '@aws-sdk/client-s3';
import { IcecoreError } from '../errors.ts';
import { alreadyAt, nothingAt } from './storage-error.ts';

/**
 * What a refusal of the object store means for the location. The SDK's own error is not kept, not even for the log: it
 * carries the signed request and, for some refusals, the session token.
 */
export function s3Error(location: string, error: unknown): IcecoreError {
  if (IcecoreError.is(error)) return error;
  const { name, status, cause } = told(error);
  const context = { location, ...(status === null ? {} : { httpStatus: status }) };
  if (name === 'NoSuchBucket') {
    return new IcecoreError('NOT_FOUND', `The bucket of ${location} does not exist.`, { context, cause });
  }
  if (status === 404) return nothingAt(location);
  if (status === 412) return alreadyAt(location);
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new IcecoreError(
      'FORBIDDEN',
      `The object store refused this server at ${location} (${name}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there.`,
      { context, cause },
    );
  }
  if (status === null) {
    return new IcecoreError(
      'INTERNAL',
      `The object store did not answer for ${location} (${name}): check AWS_ENDPOINT_URL_S3 and the network.`,
      { context, cause, retryable: true },
    );
  }
  if (status === 429 || status === 503) {
    return new IcecoreError('OVERLOADED', `The object store is overloaded (${name}), at ${location}: repeat the call later.`, {
      context,
      cause,
      retryable: true,
    });
  }
  return new IcecoreError('INTERNAL', `The object store failed at ${location} with HTTP ${status} (${name}).`, {
    context,
    cause,
    retryable: status >= 500,
  });
}

export function httpStatus(error: unknown): number | null {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? null) : null;
}

/** What may be told of the SDK's error, to the log too. */
function told(error: unknown): { readonly name: string; readonly status: number | null; readonly cause: Error } {
  if (!(error instanceof Error)) return { name: 'unknown', status: null, cause: new Error('unknown') };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (!(error instanceof S3ServiceException)) return { name: code, status: null, cause: new Error(`${error.name} ${code}`) };
  const { httpStatusCode, requestId, attempts } = error.$metadata;
  const cause = new Error(`${error.name}: HTTP ${httpStatusCode}, request ${requestId}, ${attempts} attempts`);
  return { name: error.name, status: httpStatusCode ?? null, cause };
}
