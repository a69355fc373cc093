import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { SpineEngine } from './spine-source.ts';

/** What making and reproducing training sets takes. */
export interface TrainingEngine extends SpineEngine {
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
  featureSet(name: string, version: number): Promise<FeatureSet>;
  /** The newest version's number; 0 where there is none. */
  newestVersion(name: string): Promise<number>;
}
