import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { environmentHelp, parseEnvironment, variable } from './environment.js';
import {
  encryptionKeyField,
  integerField,
  logLevelField,
  portField,
  redisUrlField,
} from './environment-fields.js';

const app = {
  name: 'sample',
  description: 'an app of this test.',
  environment: z.object({
    REDIS_URL: redisUrlField,
    ENCRYPTION_KEY: encryptionKeyField,
    PORT: portField(3000, 'Where it listens.'),
    WORKER_CAPACITY: integerField({ default: 200, min: 1, max: 10_000, about: 'How many sessions.' }),
    LOG_LEVEL: logLevelField,
  }),
};
const valid = { REDIS_URL: 'redis://localhost:6379', ENCRYPTION_KEY: 'ab'.repeat(32) };

const notes = { about: 'Of this test.', takes: 'nothing' };

describe('parseEnvironment', () => {
  test('gives typed values with defaults, and takes an empty value as not set', () => {
    expect(parseEnvironment(app, { ...valid, PORT: '', WORKER_CAPACITY: '5', UNRELATED: 'x' })).toEqual({
      ...valid,
      PORT: 3000,
      WORKER_CAPACITY: 5,
      LOG_LEVEL: 'info',
    });
  });

  test('names each wrong variable, the value it got and what it takes', () => {
    expect(() => parseEnvironment(app, { ...valid, PORT: 'seventy', LOG_LEVEL: 'loud' })).toThrow(
      [
        'PORT is "seventy"; it takes a port number from 0 to 65535, 0 for any free one.',
        'LOG_LEVEL is "loud"; it takes one of fatal, error, warn, info, debug, silent.',
      ].join('\n'),
    );
  });

  test('says nothing of a check without a message of its own', () => {
    const odd = {
      ...app,
      environment: z.object({
        ODD: variable(
          z.string().refine(() => false),
          notes,
        ),
      }),
    };
    expect(() => parseEnvironment(odd, { ODD: 'x' })).toThrow(/^ODD is "x"; it takes nothing\.$/);
  });

  test('says when a required variable is not set, and never shows a secret value', () => {
    expect(() => parseEnvironment(app, { ENCRYPTION_KEY: 'hunter2' })).toThrow(
      /^REDIS_URL is not set; it takes .*\nENCRYPTION_KEY has a value of 7 characters \(not shown\); it takes .*$/,
    );
  });

  test('says what is wrong with the URL of Redis, and drops white space around it', () => {
    expect(() => parseEnvironment(app, { ...valid, REDIS_URL: 'redis+sentinel://:hunter2@one' })).toThrow(
      /^REDIS_URL has a value of 29 characters \(not shown\): after the sentinels it lacks \/name-of-the-primary .*; it takes a URL such as .*$/,
    );
    const spaced = { ...valid, REDIS_URL: ' redis+sentinel://one,two/main\n' };
    expect(parseEnvironment(app, spaced).REDIS_URL).toBe('redis+sentinel://one,two/main');
  });
});

test('the help lists every variable with what it takes and its default', () => {
  const help = environmentHelp(app);
  for (const name of Object.keys(app.environment.shape)) expect(help).toContain(`  ${name}\n`);
  expect(help).toContain('a whole number from 1 to 10000 (default 200)');
  expect(help).toContain('(required)');
});

test('the help says that a variable is empty by default', () => {
  const empty = { ...app, environment: z.object({ NAMES: variable(z.string().default(''), notes) }) };
  expect(environmentHelp(empty)).toContain('Takes nothing (default none).');
});
