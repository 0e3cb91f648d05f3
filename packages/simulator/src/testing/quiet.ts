import type { ILogger } from '@whiskeysockets/baileys/lib/Utils/logger.js';

const ignore = (): void => undefined;
/** A logger for Baileys that discards everything. */
export const quiet: ILogger = {
  level: 'silent',
  child: () => quiet,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
