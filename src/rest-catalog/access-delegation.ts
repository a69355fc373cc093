/** Ways for a client to reach files without keys of its own (REST specification: `X-Iceberg-Access-Delegation`). */
export type AccessDelegation = 'vended-credentials' | 'remote-signing';

/** Those that a request asks for by its header, in no order; what is unknown is passed over. */
export function parseAccessDelegation(header: string | readonly string[] | undefined): ReadonlySet<AccessDelegation> {
  const names = [header ?? []].flat().flatMap((value) => value.split(','));
  return new Set(names.map((name) => name.trim().toLowerCase()).filter(isAccessDelegation));
}

function isAccessDelegation(name: string): name is AccessDelegation {
  return name === 'vended-credentials' || name === 'remote-signing';
}
