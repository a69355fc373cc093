import { IcecoreError } from '../errors.ts';
import { decimalBytes, decimalFromBytes } from './decimal.ts';
import type { Literal, PrimitiveType } from './type.ts';
import { uuidBytes, uuidText } from './uuid.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fourBytes(write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(4);
  write(viewOf(bytes));
  return bytes;
}

function eightBytes(write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(8);
  write(viewOf(bytes));
  return bytes;
}

/** The bytes of one value, as bounds and row digests hold it (spec: Appendix D, "Binary single-value serialization"). */
export function encodeSingleValue(type: PrimitiveType, value: Literal): Uint8Array {
  switch (type) {
    case 'boolean':
      return Uint8Array.of(value === true ? 1 : 0);
    case 'int':
    case 'date':
      return fourBytes((view) => view.setInt32(0, Number(value), true));
    case 'float':
      return fourBytes((view) => view.setFloat32(0, Number(value), true));
    case 'double':
      return eightBytes((view) => view.setFloat64(0, Number(value), true));
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return eightBytes((view) => view.setBigInt64(0, BigInt(value as bigint), true));
    case 'string':
      return new TextEncoder().encode(String(value));
    case 'uuid':
      return uuidBytes(String(value));
    case 'unknown':
      throw new IcecoreError('INTERNAL', 'A column of type unknown holds nulls only, and has no single value.');
    default:
      if (type.startsWith('decimal')) return decimalBytes(BigInt(value as bigint));
      if (value instanceof Uint8Array) return value;
      throw new IcecoreError('INTERNAL', `A ${type} is held as bytes, not as ${typeof value}.`);
  }
}

/**
 * The value of such bytes, for a column whose type is `type` now: a bound written before a promotion (int to long, float to
 * double, date to timestamp) is told by its length (spec: "Schema Evolution"). Throws FAILED_PRECONDITION where the bytes
 * cannot be of this type; whoever prunes by bounds should take that as "no bound".
 */
export function decodeSingleValue(type: PrimitiveType, bytes: Uint8Array): Literal {
  const view = viewOf(bytes);
  const ofLength = (length: number) => bytes.length === length;
  switch (type) {
    case 'boolean':
      if (ofLength(1)) return bytes[0] !== 0;
      break;
    case 'int':
    case 'date':
      if (ofLength(4)) return view.getInt32(0, true);
      break;
    case 'float':
      if (ofLength(4)) return view.getFloat32(0, true);
      break;
    case 'double':
      if (ofLength(8)) return view.getFloat64(0, true);
      if (ofLength(4)) return view.getFloat32(0, true);
      break;
    case 'long':
      if (ofLength(8)) return view.getBigInt64(0, true);
      if (ofLength(4)) return BigInt(view.getInt32(0, true));
      break;
    case 'timestamp':
      if (ofLength(4)) return BigInt(view.getInt32(0, true)) * 86_400_000_000n;
      if (ofLength(8)) return view.getBigInt64(0, true);
      break;
    case 'timestamp_ns':
      if (ofLength(4)) return BigInt(view.getInt32(0, true)) * 86_400_000_000_000n;
      if (ofLength(8)) return view.getBigInt64(0, true);
      break;
    case 'time':
    case 'timestamptz':
    case 'timestamptz_ns':
      if (ofLength(8)) return view.getBigInt64(0, true);
      break;
    case 'string':
      try {
        return utf8.decode(bytes);
      } catch {
        break;
      }
    case 'uuid':
      if (ofLength(16)) return uuidText(bytes);
      break;
    case 'binary':
      return bytes;
    case 'unknown':
      break;
    default:
      if (type.startsWith('fixed') && ofLength(Number(type.slice(6, -1)))) return bytes;
      // 38 digits take 16 bytes; a little slack for writers that pad.
      if (type.startsWith('decimal') && bytes.length >= 1 && bytes.length <= 32) return decimalFromBytes(bytes);
  }
  throw new IcecoreError('FAILED_PRECONDITION', `${bytes.length} bytes cannot be a single value of type ${type}.`);
}
