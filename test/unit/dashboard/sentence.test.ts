import { describe, expect, it } from 'vitest';
import { understand } from '../../../src/dashboard/client/calls/sentence.ts';

describe('a sentence about calls', () => {
  it.each([
    ['214 yesterday one way', { from: 'yesterday', party: '214', verdict: 'any-one-way' }],
    ['extension 214 yesterday with one-way audio?', { from: 'yesterday', party: '214', verdict: 'any-one-way' }],
    ['214 gestern einseitig', { from: 'yesterday', party: '214', verdict: 'any-one-way' }],
    ['Anna last week bad', { from: 'last-week', party: 'Anna', verdict: 'bad-or-worse' }],
    ['bad calls today', { from: 'today', verdict: 'bad-or-worse' }],
    ['bad, no audio', { verdict: 'bad-or-worse,no-media,any-one-way' }],
    ['PJSIP/carrier-1 last 14 days worst first', { from: '-14d', party: 'PJSIP/carrier-1', sort: 'mes' }],
    ['+4930123456 g722 opus', { party: '+4930123456', codec: 'g722,opus' }],
    ['#ticket-48 #Seen', { tag: 'ticket-48,Seen' }],
    ['longer than 5 minutes', { min_duration_s: '300' }],
    ['kürzer als 20 Sekunden heute', { from: 'today', max_duration_s: '20' }],
    ["caller's network this week", { from: 'this-week', fault_place: 'caller-network,both-networks' }],
    ['echo or noise yesterday 214', { from: 'yesterday', party: '214', finding: 'echo,noisy' }],
    ['server hung up today', { from: 'today', ended_by: 'server' }],
    ['letzte stunde 101', { from: '-1h', party: '101' }],
    ['last 30 minutes', { from: '-30m' }],
    ['', {}],
  ])('%s', (sentence, meaning) => {
    const { query, strange } = understand(sentence);
    expect(strange).toEqual([]);
    expect(Object.fromEntries(query)).toEqual(meaning);
  });

  it.each([
    ['Anna Bernd yesterday', ['Bernd']],
    ['214 <script>', ['<script>']],
    ['terrible calls of anna', ['anna']],
    ['anna last 30 constructor', ['anna', 'last', 'constructor']],
  ])('%s: says which words it does not understand', (sentence, strange) => {
    expect(understand(sentence).strange).toEqual(strange);
  });
});
