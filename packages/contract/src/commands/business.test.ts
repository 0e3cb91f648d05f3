import { expect, it } from 'vitest';
import { businessProfileChangeSchema } from './business.js';

it('a change of the profile changes something', () => {
  expect(businessProfileChangeSchema.safeParse({}).success).toBe(false);
  expect(businessProfileChangeSchema.safeParse({ description: undefined }).success).toBe(false);
  expect(businessProfileChangeSchema.safeParse({ description: '' }).success).toBe(true);
});
