/** Control characters, what turns the direction of writing around, line separators, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text from a table or a server as a terminal may be given it: what would move the cursor, colour the screen or turn the writing around
 * is spelled out as in JSON. Data must not be able to draw on the terminal of whoever reads it.
 */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same for text that may have lines, such as a message about a statement. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n');
}
