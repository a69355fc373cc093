import { IcecoreError } from '../../errors.ts';
import { printable } from '../printable.ts';

/** `file` and `stream` are Arrow's (format: "IPC File Format", which names streams `.arrows`). */
export type FeedFormat = 'file' | 'stream' | 'parquet';

const formats: Readonly<Record<string, FeedFormat>> = {
  '.arrow': 'file',
  '.feather': 'file',
  '.arrows': 'stream',
  '.parquet': 'parquet',
};

/** The format that a file's name says. Throws BAD_USER_INPUT for a name that says none. */
export function feedFormat(name: string): FeedFormat {
  const format = formats[/\.[a-z]+$/i.exec(name)?.[0].toLowerCase() ?? ''];
  if (format !== undefined) return format;
  const known = Object.keys(formats).join(', ');
  throw new IcecoreError('BAD_USER_INPUT', `--out takes a name that ends in ${known}, not "${printable(name)}".`);
}
