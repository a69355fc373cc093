import './scalars.ts';
import './node.ts';
import './viewer.ts';
import './tables.ts';
import './snapshots.ts';
import './point-in-time.ts';
import './features.ts';
import './training.ts';
import './models.ts';
import './predictions.ts';
import './runs.ts';
import './lineage.ts';
import './audit.ts';
import './sql.ts';
import './feed.ts';
import './maintenance.ts';
import './search.ts';
import { builder } from './builder.ts';

/** The executable schema: every file of concepts above has declared its part by the time this line runs. */
export const schema = builder.toSchema();
