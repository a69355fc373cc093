import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import { chmod, link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IcecoreError } from '../errors.ts';
import { sha256Hex } from '../ledger/canonical-json.ts';

/**
 * The server's Ed25519 key: signs checkpoints of the audit chain and decisions on models. Kept outside the warehouse (semantics,
 * section 8), readable by the server's user alone; its public half lies beside it, for verifiers.
 */
export class SigningKey {
  /** The first 16 hex digits of the SHA-256 of the public key's DER. */
  readonly keyId: string;
  /** PEM (SPKI). */
  readonly publicKey: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#private = privateKey;
    this.#public = createPublicKey(privateKey);
    this.publicKey = this.#public.export({ type: 'spki', format: 'pem' }).toString();
    this.keyId = keyIdOf(this.#public);
  }

  /** Reads the key, a PEM in PKCS #8, or makes it where the file is missing. Throws FAILED_PRECONDITION where it is no Ed25519 key. */
  static async load(path: string): Promise<SigningKey> {
    const pem = (await readIfThere(path)) ?? (await createKey(path));
    const key = new SigningKey(parsePrivateKey(pem, path));
    await writeIfAbsent(`${path}.pub`, key.publicKey, 0o644);
    return key;
  }

  /** A key that is nowhere kept. */
  static ephemeral(): SigningKey {
    return new SigningKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** The signature, in base64. */
  sign(bytes: Uint8Array | string): string {
    return sign(null, bytesOf(bytes), this.#private).toString('base64');
  }

  /** 32 bytes that only holders of this key can know, others for each purpose. */
  secretFor(purpose: string): Uint8Array {
    return new Uint8Array(
      hkdfSync('sha256', this.#private.export({ type: 'pkcs8', format: 'der' }), '', `icecore ${purpose}`, 32),
    );
  }

  verify(bytes: Uint8Array | string, signature: string): boolean {
    return verifySignature(this.publicKey, bytes, signature);
  }
}

/** Whether the base64 signature is of these bytes by the private half of this key (PEM, SPKI). */
export function verifySignature(publicKey: string, bytes: Uint8Array | string, signature: string): boolean {
  return verify(null, bytesOf(bytes), createPublicKey(publicKey), Buffer.from(signature, 'base64'));
}

/** What `SigningKey.keyId` is for this public key in PEM (SPKI). */
export function publicKeyId(publicKey: string): string {
  return keyIdOf(createPublicKey(publicKey));
}

function keyIdOf(publicKey: KeyObject): string {
  return sha256Hex(publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16);
}

async function createKey(path: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Two servers may start at once: the first to write decides, and both read what it wrote.
  await writeIfAbsent(path, pem, 0o600);
  await chmod(path, 0o600);
  return readFile(path, 'utf8');
}

/** The file is there whole or not at all: it is written beside, and then given its name, unless another has it. */
async function writeIfAbsent(path: string, text: string, mode: number): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(beside, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(beside);
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The reason may quote the file: the message below says enough.
  }
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `${path} holds no Ed25519 private key in PEM; name another file, or remove it to have one made.`,
  );
}

function bytesOf(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
