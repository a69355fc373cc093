/** Who is asking. Built from the credential alone, never from an argument (invariant 8). */
export type ActorKind = 'HUMAN' | 'SERVICE' | 'AGENT' | 'LOCAL';

export interface Actor {
  /** The credential's subject; `local` for the caller of a server without access control. */
  readonly id: string;
  readonly name: string | null;
  readonly kind: ActorKind;
}

export type Role = 'viewer' | 'scientist' | 'approver' | 'admin';

export interface Caller {
  readonly actor: Actor;
  readonly roles: ReadonlySet<Role>;
  /** LOCAL where nobody checked who it is. */
  readonly assurance: 'CREDENTIAL' | 'LOCAL';
}
