/** A name as Icecore gives its data and delete files, which have an id on every column. */
const ownName = /\/(\d{5}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d{5}|-deletes)?\.parquet$/;

/** Whether a file is named as Icecore's own are. Not proof that it is one: what rests on it is how often files are looked into. */
export function isOwnName(location: string): boolean {
  return ownName.test(location);
}
