/** Where a command speaks: the streams of a process, or a test's own. */
export interface Console {
  /** Writes text as it is; lines end themselves. */
  out(text: string): void;
  err(text: string): void;
  /** Columns of the terminal that `out` goes to; null where that is a file or a pipe, and nothing is cut. */
  readonly width: number | null;
  /** Whether `out` shows colours and weights. */
  readonly isStyled: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: AsyncIterable<Uint8Array>;
}

/** Of this process. Colours are off under NO_COLOR (https://no-color.org) and where the output is no terminal. */
export function processConsole(): Console {
  const { stdout, stderr, stdin, env } = process;
  // A reader that has seen enough, such as `head`, is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    width: stdout.isTTY ? stdout.columns : null,
    isStyled: stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    environment: env,
    input: stdin,
  };
}

const [dimOn, dimOff, boldOn, boldOff] = ['\u001b[2m', '\u001b[22m', '\u001b[1m', '\u001b[22m'];

/** What matters less, such as a null. */
export function dim(text: string, { isStyled }: Pick<Console, 'isStyled'>): string {
  return isStyled && text !== '' ? `${dimOn}${text}${dimOff}` : text;
}

export function bold(text: string, { isStyled }: Pick<Console, 'isStyled'>): string {
  return isStyled && text !== '' ? `${boldOn}${text}${boldOff}` : text;
}
