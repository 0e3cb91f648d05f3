/** Thrown by an iq handler: answered as `<iq type=error><error code text/></iq>`. */
export class IqError extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.name = 'IqError';
    this.code = code;
  }
}
