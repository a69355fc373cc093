import type { TableMetadata } from '../iceberg/metadata.ts';
import { tagsOn } from '../tables/pin.ts';

/** What depends on a pinned snapshot. */
export interface PinHolder {
  readonly kind: 'TrainingSet' | 'ModelVersion';
  readonly name: string;
  readonly version: number;
}

/** What is pinned to a snapshot, read off the names of its pins (`trainingTag`, `trainingPinTag`), each once, by name of the pin. */
export function pinHolders(metadata: TableMetadata, snapshotId: bigint): readonly PinHolder[] {
  const holders = new Map<string, PinHolder>();
  for (const tag of tagsOn(metadata, snapshotId).toSorted()) {
    const holder = holderOf(tag);
    if (holder !== null) holders.set(JSON.stringify(holder), holder);
  }
  return [...holders.values()];
}

function holderOf(tag: string): PinHolder | null {
  const trainingSet = /^training-set\/(.+)\/v(\d+)(?:\/\d+)?$/.exec(tag);
  if (trainingSet !== null) return { kind: 'TrainingSet', name: trainingSet[1] ?? '', version: Number(trainingSet[2]) };
  const model = /^icecore-model-(.+)-v(\d+)$/.exec(tag);
  return model === null ? null : { kind: 'ModelVersion', name: model[1] ?? '', version: Number(model[2]) };
}
