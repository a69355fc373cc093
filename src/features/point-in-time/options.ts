/** Whether a feature row at the very moment of the spine row counts. */
export type Boundary = 'INCLUSIVE' | 'EXCLUSIVE';
/** Whether a feature row must also have been known by the moment of the spine row. */
export type KnowledgeTime = 'IGNORE' | 'KNOWN_AT_EVENT';
/** What is done about rows that are equal in event and known time, and differ in a selected feature. */
export type TiePolicy = 'ERROR' | 'LAST_BY_SEQUENCE';
/** Whether a null of the newest row is taken as it is. */
export type NullPolicy = 'KEEP' | 'LAST_NON_NULL';

/** The switches of the point-in-time rule (semantics, section 1). */
export interface PointInTimeOptions {
  readonly boundary: Boundary;
  readonly knowledge: KnowledgeTime;
  readonly onTie: TiePolicy;
  readonly nulls: NullPolicy;
  /** Adds a column for each feature table and key map that says why there are values, or none. */
  readonly matchStatus: boolean;
}

/** What holds where a caller says nothing. */
export const defaultPointInTimeOptions: PointInTimeOptions = {
  boundary: 'INCLUSIVE',
  knowledge: 'IGNORE',
  onTie: 'ERROR',
  nulls: 'KEEP',
  matchStatus: false,
};
