import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** A Python that keeps what it is told: a client of a lakehouse, driven step by step. It ends with this process. */
export class PythonSession {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-8000);
    });
  }

  /** Runs `prelude` in a new Python. Throws where it fails. */
  static async start(
    python: string,
    prelude: string,
    options: { readonly directory: string; readonly environment?: Readonly<Record<string, string>> },
  ): Promise<PythonSession> {
    const script = fileURLToPath(new URL('python_session.py', import.meta.url));
    const child = spawn(python, [script], {
      cwd: options.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONUNBUFFERED: '1', ...options.environment },
    });
    const session = new PythonSession(child, createInterface(child.stdout));
    process.once('exit', () => child.kill('SIGKILL'));
    try {
      await session.value(prelude);
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  /** The value of the last expression in `code`. Throws with Python's own words. */
  // biome-ignore lint/suspicious/noExplicitAny: values of any shape
  async value(code: string): Promise<any> {
    const answer = await this.#ask(code);
    if (answer.error !== undefined) throw new Error(`${answer.error}\n${code}`);
    return answer.value;
  }

  /** What Python raises: its type and its message. Throws where nothing is raised. */
  async refusal(code: string): Promise<string> {
    const { error } = await this.#ask(code);
    if (error === undefined) throw new Error(`nothing was refused: ${code}`);
    return error;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask(code: string): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify({ code })}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`Python ended: ${this.#complaints}\n${code}`);
    return JSON.parse(line.value) as Answer;
  }
}
