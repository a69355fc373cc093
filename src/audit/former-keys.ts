import { readFile } from 'node:fs/promises';
import { IcecoreError } from '../errors.ts';
import { publicKeyId } from './signing-key.ts';

/**
 * The public keys (PEM) of earlier signing keys, such as the `.pub` files that were written beside them: what they signed goes on counting
 * after a key was changed. Throws BAD_USER_INPUT naming the file that is missing or holds no public key.
 */
export async function readFormerKeys(files: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        const pem = await readFile(file, 'utf8');
        publicKeyId(pem);
        return pem;
      } catch (cause) {
        throw new IcecoreError(
          'BAD_USER_INPUT',
          `ICECORE_FORMER_KEYS: ${file} holds no public key in PEM; give the .pub file of an earlier signing key.`,
          {
            cause,
          },
        );
      }
    }),
  );
}
