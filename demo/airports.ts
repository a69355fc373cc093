import { readFileSync } from 'node:fs';
import { airportsFile } from './flight-files.ts';

export interface Airport {
  readonly iata: string;
  readonly name: string;
  readonly city: string | null;
  readonly state: string | null;
  readonly latitude: number;
  readonly longitude: number;
}

/** The airports of `airports.csv`. */
export function readAirports(): readonly Airport[] {
  const [, ...lines] = readFileSync(airportsFile, 'utf8').trim().split(/\r?\n/);
  return lines.map((line) => {
    const [iata = '', name = '', city, state, , latitude, longitude] = cells(line);
    return { iata, name, city: text(city), state: text(state), latitude: Number(latitude), longitude: Number(longitude) };
  });
}

/** One line of CSV: cells with commas are in double quotes. */
function cells(line: string): readonly string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}

function text(cell: string | undefined): string | null {
  return cell === undefined || cell === '' || cell === 'NA' ? null : cell;
}
