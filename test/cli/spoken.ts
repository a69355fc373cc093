import { runCommandLine } from '../../src/cli/command-line.ts';

/** What a command said, and how it ended. */
export interface Spoken {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Listening {
  /** Columns of a terminal; a file where left out. */
  readonly width?: number;
  readonly isStyled?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** In chunks of bytes, as a pipe brings it. */
  readonly input?: readonly Uint8Array[];
}

/** Runs the command line in this process, with nothing from the environment but what is given. */
export async function speak(args: readonly string[], { width, isStyled, environment, input }: Listening = {}): Promise<Spoken> {
  const said = { out: '', err: '' };
  const code = await runCommandLine(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    width: width ?? null,
    isStyled: isStyled ?? false,
    environment: environment ?? {},
    input: chunksOf(input ?? []),
  });
  return { code, ...said };
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
