import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jpegOf } from '../testing/jpeg.js';
import { readJpegSize } from './jpeg-size.js';

it('reads width and height', () => {
  expect(readJpegSize(jpegOf(640, 480))).toEqual({ width: 640, height: 480 });
});

it('reads a progressive file, and one with a table and fill bytes before the frame', () => {
  const progressive = jpegOf(300, 200);
  progressive[progressive.indexOf('ffc0', 0, 'hex') + 1] = 0xc2;
  expect(readJpegSize(progressive)).toEqual({ width: 300, height: 200 });
  const table = Buffer.from('ffc400041111ffff', 'hex');
  const filled = Buffer.concat([Buffer.from('ffd8', 'hex'), table, jpegOf(300, 200).subarray(3)]);
  expect(readJpegSize(filled)).toEqual({ width: 300, height: 200 });
});

it('finds nothing in a file that ends before its frame header, wherever it is cut', () => {
  const whole = jpegOf(640, 480);
  const end = whole.indexOf('ffc0', 0, 'hex') + 9;
  for (let length = 0; length < end; length += 1) {
    expect(readJpegSize(whole.subarray(0, length))).toBeUndefined();
  }
});

it('never throws, and ends', () => {
  const start = Buffer.from('ffd8', 'hex');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readJpegSize(Buffer.concat([start, bytes]));
      readJpegSize(Buffer.from(bytes));
    }),
  );
});
