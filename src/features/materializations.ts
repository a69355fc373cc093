import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { Run } from '../runs/run.ts';
import type { Runs } from '../runs/runs.ts';
import { startRun } from '../runs/start-run.ts';
import { requireWrite } from '../tables/write-access.ts';
import { checkDefinition, definitionEngine } from './definition.ts';
import { parseDeclaration } from './feature-declaration.ts';
import { type MaterializeEngine, materialize, materializedTo, type RecordedMaterialization } from './materialize.ts';

export interface MaterializationsOptions extends MaterializeEngine {
  readonly catalog: Catalog;
  readonly runs: Runs;
  readonly clock: Clock;
}

export interface MaterializationInput {
  readonly featureTable: string;
  /** Inclusive; on from the last run where left out, or from the beginning. */
  readonly fromMicros?: bigint | null;
  /** Exclusive; now where left out. */
  readonly toMicros?: bigint | null;
}

/** Feature tables that Icecore computes by their definitions. */
export class Materializations {
  readonly #options: MaterializationsOptions;

  constructor(options: MaterializationsOptions) {
    this.#options = options;
    options.runs.register('materializeFeatures', {
      kind: 'MATERIALIZATION',
      handler: (context) => materialize(options, context),
      showsTo: async ({ input }) => (await options.tables.findByUuid((input as RecordedMaterialization).tableUuid)) !== null,
    });
  }

  /**
   * Starts the run that replaces a window of a feature table by what its definition gives. Throws NOT_FOUND, FORBIDDEN, BAD_USER_INPUT for
   * an empty window or a definition that no longer fits, FAILED_PRECONDITION where there is none.
   */
  async materializeFeatures(call: Call, input: MaterializationInput): Promise<Run> {
    requireRole(call.caller, 'scientist', 'materialise features');
    await requireWrite(this.#options.tables, parseIdentifier(input.featureTable), 'materialise');
    return await startRun(this.#options, call, 'materializeFeatures', () => this.#prepare(input));
  }

  async #prepare({ featureTable, ...window }: MaterializationInput): Promise<RecordedMaterialization> {
    const { tables, duckdb, clock } = this.#options;
    const table = await tables.load(parseIdentifier(featureTable));
    const declaration = parseDeclaration(table.metadata);
    const refuse = (reason: string) =>
      new IcecoreError('FAILED_PRECONDITION', `${featureTable} cannot be materialised: ${reason}.`, {
        context: { featureTable },
      });
    if (declaration === null) throw refuse('it is no feature table. Declare it with createFeatureTable');
    const { definition } = declaration;
    if (definition === null)
      throw refuse(
        'it has no definition that you may see. Give it one with updateFeatureTable, or write its rows with writeRows',
      );
    if (declaration.definitionEngine !== definitionEngine) {
      throw refuse(
        `its definition was written for ${declaration.definitionEngine}, and this server runs ${definitionEngine}. Check that it means the same, and set it again with updateFeatureTable`,
      );
    }
    const toMicros = window.toMicros ?? clock.nowMicros();
    const fromMicros = window.fromMicros ?? materializedTo(table.metadata);
    if (fromMicros !== null && fromMicros >= toMicros) {
      throw new IcecoreError('BAD_USER_INPUT', `The window of ${featureTable} is empty: it begins where it ends, or later.`, {
        context: { fromMicros: fromMicros.toString(), toMicros: toMicros.toString() },
      });
    }
    await checkDefinition(duckdb, tables, featureTable, currentSchema(table.metadata), definition);
    return { tableUuid: table.uuid, definition, fromMicros, toMicros };
  }
}
