/**
 * What a terminal shows in two columns: East Asian Wide and Fullwidth (Unicode Standard Annex 11), and emoji. By scripts and blocks, which
 * hold also for characters that this Node's Unicode does not know yet.
 */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}\p{Script=Nushu}\p{Script=Khitan_Small_Script}\p{Emoji_Presentation}\u2329\u232a\u2ff0-\u2fff\u3000-\u303e\u3099-\u30ff\u3190-\u33ff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f200}-\u{1f265}]/v;
/** Of the scripts above, but narrow: halfwidth forms, and the parts of Hangul syllables that are drawn into the part before them. */
const narrow = /^[\u02ea\u02eb\u1160-\u11ff\u3248-\u324f\ud7b0-\ud7ff\uff61-\uffdc]/v;
/** Drawn over what is before them, or not at all. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/v;
/** Asks for the coloured picture of a character that is text by itself. */
const emojiSelector = '\ufe0f';

const plain = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns of a terminal that a printable text takes; no more than `max` is counted, and `max + 1` or more stands for any greater width. */
export function textWidth(text: string, max = Number.POSITIVE_INFINITY): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
    if (width > max) break;
  }
  return width;
}

/** The text in at most `width` columns, its end replaced by `…` where it was cut. Characters that belong together stay so. */
export function cutText(text: string, width: number): string {
  if (textWidth(text, width) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

function graphemeWidth(grapheme: string): number {
  if (zeroWidth.test(grapheme)) return 0;
  if (grapheme.includes(emojiSelector)) return 2;
  return wide.test(grapheme) && !narrow.test(grapheme) ? 2 : 1;
}
