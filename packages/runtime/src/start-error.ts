/**
 * A failure to start that its reader can fix: a missing dependency, a port that is taken, a wrong key. It is
 * shown as its message alone, so the message says what to do.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The environment variable that the port comes from. */
  readonly variable: string;
  /** The environment variable that the host comes from. */
  readonly hostVariable: string;
}

/** Turns the error of a server that could not listen into a StartError naming the variable to change. */
export function listenError(error: unknown, at: ListenAddress): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${at.host}:${at.port}`;
  if (code === 'EADDRINUSE') {
    return new StartError(
      `${address} is already in use; set ${at.variable} to a free port or stop the other process.`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new StartError(
      `this user may not listen on ${address} (${code}); set ${at.variable} to another port, such as one from 1024 on.`,
      { cause: error },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new StartError(
      `cannot listen on ${address} (${code}); set ${at.hostVariable} to an address or host name of this machine.`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
