import { expect, it } from 'vitest';
import { baileysLogger } from './logger.js';

it('passes on texts, messages of errors and ids of messages, and nothing else', () => {
  const lines: unknown[][] = [];
  const record = (...line: unknown[]) => lines.push(line);
  const logger = baileysLogger({ warn: record, error: record });
  logger
    .child({ creds: 'secret' })
    .error({ err: new Error('Bad MAC'), node: 'a stanza', key: 'secret' }, 'failed');
  logger.warn({ msgId: 'AB', creds: { noiseKey: 'secret' } }, 'timed out');
  logger.warn('a text alone');
  logger.info({ creds: 'secret' }, 'not passed on');
  expect(lines).toEqual([
    [{ cause: 'Bad MAC' }, 'Baileys: failed'],
    [{ messageId: 'AB' }, 'Baileys: timed out'],
    [{}, 'Baileys: a text alone'],
  ]);
});
