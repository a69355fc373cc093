import type { ForeignLake } from './foreign-lake.ts';

/** A feature of the format, shown by tables that another engine makes. */
export interface ForeignFeature {
  /** As the matrix calls it. */
  readonly feature: string;
  readonly tables: readonly string[];
  readonly make: (lake: ForeignLake) => Promise<void>;
  /** Whose reading is the measure: Spark's, the Java library's where Spark 3.5 has no such type, or what a query says where neither reads it. */
  readonly measure?: 'spark' | 'java' | `SELECT ${string}`;
  /** Under each of these predicates the rows are equal, too. */
  readonly filters?: readonly string[];
  /** What PyIceberg is known to read otherwise. */
  readonly pyicebergDiffers?: string;
  /** What else has to be equal. */
  readonly check?: (lake: ForeignLake) => Promise<void>;
}
