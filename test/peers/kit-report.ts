/** One test of a JUnit report. */
export interface KitCase {
  /** The class without its package. */
  readonly suite: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped or what failed; empty where it passed. */
  readonly reason: string;
}

/** The tests of a report as JUnit's console launcher writes it, by suite and name. */
export function readKitReport(xml: string): readonly KitCase[] {
  const cases = [...xml.matchAll(/<testcase name="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g)];
  return cases.map(readCase).toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function readCase([, name = '', className = '', body = '']: RegExpMatchArray): KitCase {
  const test = { suite: className.slice(className.lastIndexOf('.') + 1), name: text(name) };
  const skipped = /<skipped>([\s\S]*?)<\/skipped>/.exec(body)?.[1];
  if (skipped !== undefined) return { ...test, outcome: 'skipped', reason: reasonOf(skipped) };
  const failed = /<(?:failure|error)[^>]*>([\s\S]*?)<\/(?:failure|error)>/.exec(body)?.[1];
  if (failed !== undefined) return { ...test, outcome: 'failed', reason: text(failed).slice(0, 2000) };
  return { ...test, outcome: 'passed', reason: '' };
}

/** The kit's own words, where an assumption has some. */
function reasonOf(skipped: string): string {
  const content = text(skipped);
  if (!content.includes('assumption was not met')) return content;
  return /assumption was not met due to: \[([^\]]*)\]/.exec(content)?.[1] ?? '';
}

function text(xml: string): string {
  const plain = xml.replaceAll('<![CDATA[', '').replaceAll(']]>', '');
  return plain.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').trim();
}

function key({ suite, name }: KitCase): string {
  return `${suite}.${name}`;
}
