import { describe, expect, it } from 'vitest';
import { fileSourceSchema, newFileSchema } from './file-content.js';

const schemas = { fileSourceSchema, newFileSchema };

/** What is said about a value that is refused. */
function problems(schema: keyof typeof schemas, value: unknown) {
  return schemas[schema].safeParse(value).error?.issues.map(({ message }) => message);
}

describe('a file', () => {
  it.each([undefined, 'a.jpg', {}, { path: 'a.jpg' }])(
    'that comes in no way, as %j, is refused with the ways that there are',
    (file) => {
      expect(problems('fileSourceSchema', file)).toEqual(['must have a url, base64 or an uploadId']);
      expect(problems('newFileSchema', file)).toEqual(['must have a url or base64']);
    },
  );

  it('whose value is wrong is refused with what is wrong with it', () => {
    expect(problems('fileSourceSchema', { base64: 'not base64' })).toEqual(['must be base64']);
  });
});
