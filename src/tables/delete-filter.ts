import { deletedFilePathId } from '../iceberg/delete-index.ts';
import { quoteText } from '../sql/quote.ts';

/** Rows with these values in these columns are deleted (spec: "Equality Delete Files"). A local path. */
export interface EqualityDelete {
  readonly path: string;
  readonly fieldIds: readonly number[];
}

/** The deletes that apply to one data file, as the plan has said; all paths are local. */
export interface FileDeletes {
  /** The data file's. */
  readonly path: string;
  /** As position deletes name the data file. */
  readonly location: string;
  readonly deletePaths: readonly string[];
  readonly equalityDeletes?: readonly EqualityDelete[];
  /** A CSV file of (path of a data file, position), which holds the deletion vectors of a scan, this file's among them. */
  readonly vectorsPath?: string;
}

/** How a column is read: from a file by its id, and in the data row that is looked at. */
export interface EqualityColumn {
  /** An entry of DuckDB's `schema` map. */
  readonly byId: string;
  /** Its name in the delete file under that map. */
  readonly name: string;
  readonly dataSql: string;
}

/** Field id of `pos` in position delete files (spec: "Reserved Field IDs"). */
export const deletedPositionId = 2147483545;

/** The rows of position delete files, given by local paths: `target`, the location of a data file, and `position` in it. */
export function positionDeletesSql(paths: readonly string[]): string {
  const schema =
    `MAP {${deletedFilePathId}: {name: 'target', type: 'VARCHAR', default_value: NULL}, ` +
    `${deletedPositionId}: {name: 'position', type: 'BIGINT', default_value: NULL}}`;
  return `read_parquet([${paths.map(quoteText).join(', ')}], schema = ${schema}, hive_partitioning = false)`;
}

/**
 * Conditions of a WHERE, one a kind of delete, under which a row of `data` stays; none where nothing is deleted. `file` is SQL for the local
 * path of the row's file.
 */
export function deleteFilters(
  files: readonly FileDeletes[],
  file: string,
  column: (fieldId: number) => EqualityColumn,
): readonly string[] {
  const positions = files.filter(({ deletePaths }) => deletePaths.length > 0);
  const vectors = new Set(files.flatMap(({ vectorsPath }) => vectorsPath ?? []));
  return [
    ...(positions.length === 0 ? [] : [positionFilter(positions, file)]),
    ...[...vectors].map((path) => vectorFilter(path, file)),
    ...equalityFilters(files, file, column),
  ];
}

function positionFilter(files: readonly FileDeletes[], file: string): string {
  const deletePaths = [...new Set(files.flatMap(({ deletePaths: paths }) => paths))];
  const { sets, members } = deleteSets(files, ({ deletePaths: paths }) => paths);
  const locations = files.map(({ path, location }) => `(${quoteText(path)}, ${quoteText(location)})`);
  return (
    `NOT EXISTS (SELECT 1 FROM ${positionDeletesSql(deletePaths)} AS deletion ` +
    `JOIN (VALUES ${sets}) AS sets(delete_set, delete_file) ON sets.delete_file = deletion.filename ` +
    `JOIN (VALUES ${members}) AS members(data_file, delete_set) ON members.delete_set = sets.delete_set ` +
    `JOIN (VALUES ${locations.join(', ')}) AS locations(data_file, location) ` +
    'ON locations.data_file = members.data_file AND locations.location = deletion.target ' +
    `WHERE members.data_file = ${file} AND deletion.position = data.file_row_number)`
  );
}

function vectorFilter(path: string, file: string): string {
  const options = `header = false, auto_detect = false, quote = '"', escape = '"', delim = ','`;
  return (
    `NOT EXISTS (SELECT 1 FROM read_csv(${quoteText(path)}, columns = {'data_file': 'VARCHAR', 'position': 'BIGINT'}, ${options}) AS vector ` +
    `WHERE vector.data_file = ${file} AND vector.position = data.file_row_number)`
  );
}

/** One condition for each set of columns that deletes are by. Nulls are equal to nulls here. */
function equalityFilters(
  files: readonly FileDeletes[],
  file: string,
  column: (fieldId: number) => EqualityColumn,
): readonly string[] {
  const all = files.flatMap(({ equalityDeletes = [] }) => equalityDeletes);
  const byColumns = Map.groupBy(all, columnsKey);
  return [...byColumns].map(([key, [first]]) => {
    const columns = (first?.fieldIds ?? []).map(column);
    const pathsOf = ({ equalityDeletes = [] }: FileDeletes): readonly string[] =>
      equalityDeletes.filter((each) => columnsKey(each) === key).map(({ path }) => path);
    const concerned = files.filter((each) => pathsOf(each).length > 0);
    const paths = [...new Set(concerned.flatMap(pathsOf))].map(quoteText).join(', ');
    const schema = `MAP {${columns.map(({ byId }) => byId).join(', ')}}`;
    const { sets, members } = deleteSets(concerned, pathsOf);
    const equal = columns.map(({ name, dataSql }) => `deletion.${name} IS NOT DISTINCT FROM ${dataSql}`).join(' AND ');
    return (
      `NOT EXISTS (SELECT 1 FROM read_parquet([${paths}], schema = ${schema}, hive_partitioning = false) AS deletion ` +
      `JOIN (VALUES ${sets}) AS sets(delete_set, delete_file) ON sets.delete_file = deletion.filename ` +
      `JOIN (VALUES ${members}) AS members(data_file, delete_set) ON members.delete_set = sets.delete_set ` +
      `WHERE members.data_file = ${file} AND ${equal})`
    );
  });
}

/** A text that deletes share which are by the same columns. */
function columnsKey({ fieldIds }: EqualityDelete): string {
  return [...fieldIds].sort((a, b) => a - b).join();
}

/**
 * Which delete files make a set, and which data file has which set, as VALUES: many data files share the same deletes, and a pair for each of
 * both would be their product.
 */
function deleteSets(
  files: readonly FileDeletes[],
  pathsOf: (file: FileDeletes) => readonly string[],
): { readonly sets: string; readonly members: string } {
  const numbers = new Map<string, number>();
  const sets: string[] = [];
  const members = files.map((each) => {
    const paths = [...new Set(pathsOf(each))].sort();
    const key = JSON.stringify(paths);
    const number = numbers.get(key) ?? numbers.size;
    if (!numbers.has(key)) {
      numbers.set(key, number);
      sets.push(...paths.map((path) => `(${number}, ${quoteText(path)})`));
    }
    return `(${quoteText(each.path)}, ${number})`;
  });
  return { sets: sets.join(', '), members: members.join(', ') };
}
