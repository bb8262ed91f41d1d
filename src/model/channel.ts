/** Asterisk's numbers for a channel that is "Down", as one is made to be dialled, and "Up". */
export const CHANNEL_STATE_DOWN = 0;
export const CHANNEL_STATE_UP = 6;

/** Local channels are bends in the dialplan: they carry no media of their own. */
export const LOCAL_CHANNEL_PREFIX = 'Local/';
