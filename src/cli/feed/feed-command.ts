import { IcecoreError } from '../../errors.ts';
import { Api, serverFlags } from '../api.ts';
import type { Action, Command } from '../command.ts';
import { FeedDownload } from './feed-download.ts';
import { feedFormat } from './feed-format.ts';
import { choiceFlag, feedQuery, queryFlags } from './feed-query.ts';

export const feedCommand: Command = {
  name: 'feed',
  summary: 'a training feed, written to a file',
  usage: [
    'icecore feed --training-set NAME --out rows.arrow [flags]',
    'icecore feed --table NAME --out rows.parquet [flags]',
    'icecore feed --resume --out rows.arrow',
  ],
  details: [
    'Rows come shuffled, in the order that docs/order.md says; --shuffle none is as they stand.',
    'The name says the format: .arrow is an Arrow IPC file, .arrows an IPC stream, .parquet Parquet. The file appears when it is whole.',
  ],
  flags: [
    { name: 'out', value: 'FILE', help: 'where to' },
    ...queryFlags,
    { name: 'compression', value: 'none|lz4|zstd', help: 'in the file; Arrow has none where left out, Parquet zstd' },
    { name: 'resume', help: 'goes on with what an earlier try has left' },
    { name: 'overwrite', help: 'replaces a file that is there, and what an earlier try has left' },
    ...serverFlags,
  ],
  prepare: (flags, environment) => {
    const api = Api.of(flags, environment);
    const [word] = flags.words;
    if (word !== undefined) throw refused(`"${word}" is no flag: give --training-set ${word} or --table ${word}.`);
    const name = flags.value('out');
    if (name === null) throw refused('Give --out, a name that ends in .arrow, .arrows or .parquet.');
    const format = feedFormat(name);
    const [isResumed, isOverwritten] = [flags.has('resume'), flags.has('overwrite')];
    if (isResumed && isOverwritten) throw refused('--resume goes on, and --overwrite begins anew: give one of them.');
    const compression = choiceFlag(flags, 'compression', ['none', 'lz4', 'zstd']);
    const asked = feedQuery(flags);
    if (asked === null && !isResumed) throw refused('Give either --training-set or --table.');
    if (format === 'parquet' && compression === 'LZ4')
      throw refused('--compression lz4 is for Arrow: Parquet takes zstd or none.');
    // Arrow batches are written as they come; Parquet's pages are compressed here.
    const query = asked === null || compression === null || format === 'parquet' ? asked : { ...asked, compression };
    const codec = compression === 'NONE' ? 'NONE' : 'ZSTD';
    return (async (console) => {
      await new FeedDownload(api, console).run(name, { query, codec, isResumed, isOverwritten });
    }) satisfies Action;
  },
};

function refused(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}
