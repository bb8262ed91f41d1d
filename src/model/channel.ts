/** Asterisk's numbers for a channel that is "Down", as one is made to be dialled, and "Up". */
export const CHANNEL_STATE_DOWN = 0;
export const CHANNEL_STATE_UP = 6;

/** Local channels are bends in the dialplan: they carry no media of their own. */
export const LOCAL_CHANNEL_PREFIX = 'Local/';

/** The channel's name without its serial number: `PJSIP/alice-0000002a` is endpoint `PJSIP/alice`. */
export function endpointOf(channelName: string): string {
  const dash = channelName.lastIndexOf('-');
  return dash > 0 ? channelName.slice(0, dash) : channelName;
}
