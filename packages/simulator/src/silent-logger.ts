import type { Logger } from 'pino';

/** What the simulator asks of a logger: a part of pino's. */
export type SimulatorLogger = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'>;

const ignore = (): void => undefined;

/** Keeps nothing. */
export const silentLogger: SimulatorLogger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  isLevelEnabled: () => false,
};
