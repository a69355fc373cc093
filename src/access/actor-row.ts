import type { Actor, ActorKind } from './caller.ts';

/** The Iceberg type of a column that holds an actor. */
export const actorType = 'struct<id: string, name: string, kind: string>';

/** An actor as the cell of such a column. */
export type ActorCell = { readonly id: string; readonly name: string | null; readonly kind: string };

export function actorCell({ id, name, kind }: Actor): ActorCell {
  return { id, name, kind };
}

export function actorOf(cell: ActorCell): Actor {
  return { id: cell.id, name: cell.name, kind: cell.kind as ActorKind };
}
