import type { Logger } from '@wafleet/runtime';

/**
 * A logger of what BullMQ emits as `error`. Lost connections are expected, and the code that made the connection logs
 * each once. BullMQ repeats them at every try, so here they are logged at level debug.
 */
export function queueErrorLogger(logger: Logger): (error: Error) => void {
  return (error) => {
    const isConnection = 'syscall' in error || /Connection is closed/.test(error.message);
    logger[isConnection ? 'debug' : 'error']({ err: error }, 'a placement queue failed');
  };
}
