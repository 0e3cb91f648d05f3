import { z } from 'zod';

/** What WhatsApp's apps offer: never, a day, a week, 90 days. */
export const disappearingSecondsSchema = z
  .literal([0, 86_400, 604_800, 7_776_000])
  .describe('Seconds after which messages disappear: a day, a week or 90 days; 0: never');
