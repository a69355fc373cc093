/** A member of an input that may be left out or null. */
export type Given<Value> = Value | null | undefined;
