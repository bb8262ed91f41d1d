"""Encodes G.722 (64 kbit/s) by spandsp: samples of 16 bits at 16 kHz come in on stdin, codes go out on stdout."""

import ctypes
import sys

samples = sys.stdin.buffer.read()
count = len(samples) // 2
spandsp = ctypes.CDLL("libspandsp.so.2")
spandsp.g722_encode_init.restype = ctypes.c_void_p
spandsp.g722_encode_init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
spandsp.g722_encode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
codes = ctypes.create_string_buffer(count)
encoder = spandsp.g722_encode_init(None, 64000, 0)
written = spandsp.g722_encode(encoder, codes, samples, count)
sys.stdout.buffer.write(codes.raw[:written])
