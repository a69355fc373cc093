/** The API's answer that it will not. The code is as the server has it (semantics, section 9): a newer server may know more of them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** There is no Icecore where one was looked for; the message says what to do. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
