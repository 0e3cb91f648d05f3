import type { Logger } from 'pino';

/** The part of pino's logger that the simulator uses. */
export type SimulatorLogger = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'>;

const ignore = (): void => undefined;

/** Discards everything. */
export const silentLogger: SimulatorLogger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  isLevelEnabled: () => false,
};
