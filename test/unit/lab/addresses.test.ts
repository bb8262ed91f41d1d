import { expect, test } from 'vitest';
import { takeAddressBlock } from '../../lab/addresses.ts';

test('what one lab holds no other one gets, until it is released', async () => {
  const [one, other] = [await takeAddressBlock(), await takeAddressBlock()];
  try {
    let port = 26_008;
    // Labs of other tests hold some.
    while (!(await one.hold(port))) port += 16;
    expect(await other.hold(port)).toBe(false);
    await one.release();
    expect(await other.hold(port)).toBe(true);
  } finally {
    await other.release();
  }
});
