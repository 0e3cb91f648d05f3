import { createLogger, Lifecycle } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { StartInterrupted, startStage } from './staged-start.js';

const logger = createLogger({ app: 'test', level: 'silent' });

function stageOf(name: string, log: string[], start = () => Promise.resolve(name)) {
  return {
    name,
    start: () => {
      log.push(`start ${name}`);
      return start();
    },
    stop: async (started: string) => {
      log.push(`stop ${started}`);
    },
  };
}

test('the last one started stops first', async () => {
  const lifecycle = new Lifecycle(logger);
  const log: string[] = [];
  await startStage(lifecycle, stageOf('one', log));
  await startStage(lifecycle, stageOf('two', log));
  await lifecycle.stop();
  expect(log).toEqual(['start one', 'start two', 'stop two', 'stop one']);
});

test('nothing is started once the stop has begun, and what was starting is stopped', async () => {
  const lifecycle = new Lifecycle(logger);
  const log: string[] = [];
  let resolve: (started: string) => void = () => {};
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  const starting = startStage(
    lifecycle,
    stageOf('slow', log, () => promise),
  );
  await lifecycle.stop();
  resolve('slow');
  await expect(starting).rejects.toThrow(StartInterrupted);
  await expect(startStage(lifecycle, stageOf('late', log))).rejects.toThrow(StartInterrupted);
  expect(log).toEqual(['start slow', 'stop slow']);
});
