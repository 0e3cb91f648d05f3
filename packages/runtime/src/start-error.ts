/**
 * A failure to start that its reader can mend: a missing dependency, a port that is taken, a wrong key. It is
 * shown as its message alone, so the message says what to do.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

/** Turns the error of a server that could not listen into a StartError naming the variable to change. */
export function listenError(error: unknown, at: { host: string; port: number; variable: string }): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${at.host}:${at.port}`;
  if (code === 'EADDRINUSE') {
    return new StartError(
      `${address} is already in use; set ${at.variable} to a free port or stop the other process.`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new StartError(
      `cannot listen on ${address} (${code}); set HOST and ${at.variable} to an address of this machine.`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
