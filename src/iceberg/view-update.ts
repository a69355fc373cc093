import type { Schema } from './schema.ts';
import type { ViewVersion } from './view.ts';

/** A change to view metadata, named as the REST specification names it. `-1` means the one added last. */
export type ViewUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly formatVersion: 1 }
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
  | { readonly action: 'add-view-version'; readonly version: ViewVersion }
  | { readonly action: 'set-current-view-version'; readonly versionId: number };

/** What must still hold of the metadata when a change is applied to it. */
export interface ViewRequirement {
  readonly type: 'assert-view-uuid';
  readonly uuid: string;
}
