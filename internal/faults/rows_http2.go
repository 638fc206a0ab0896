package main

var http2Rows = []row{
	same("HTTP/2: none", overHTTP2(succeed), ok),
	each("HTTP/2: connection closed before the response", overHTTP2(closed), lostAll, lostEach, lostOnce),
	each("HTTP/2: connection closed before the response, once", overHTTP2(closed, succeed), again, again, lostOnce),
	each("HTTP/2: silence, once", all(timed, overHTTP2(silent, succeed)), again, again, slowOnce),
	each("HTTP/2: connection dead, PINGs unanswered, once", all(pings, overHTTP2(deaf, succeed)), again, again, lostOnce),
	each("HTTP/2: RST_STREAM with INTERNAL_ERROR", overHTTP2(resetStream(codeInternal)), lostAll, lostEach, lostOnce),
	each("HTTP/2: RST_STREAM with INTERNAL_ERROR, once", overHTTP2(resetStream(codeInternal), succeed), again, again, lostOnce),
	each("HTTP/2: RST_STREAM with CANCEL", overHTTP2(resetStream(codeCancel)), lostAll, lostEach, lostOnce),
	each("HTTP/2: RST_STREAM with CANCEL, once", overHTTP2(resetStream(codeCancel), succeed), again, again, lostOnce),
	each("HTTP/2: RST_STREAM with ENHANCE_YOUR_CALM", overHTTP2(resetStream(codeCalm)), lostAll, lostEach, lostOnce),
	each("HTTP/2: RST_STREAM with ENHANCE_YOUR_CALM, once", overHTTP2(resetStream(codeCalm), succeed), again, again, lostOnce),
	each("HTTP/2: RST_STREAM with HTTP_1_1_REQUIRED", overHTTP2(resetStream(codeHTTP11)), "1, error", lostOnce, lostOnce),
	each("HTTP/2: RST_STREAM with PROTOCOL_ERROR", overHTTP2(resetStream(codeProtocol)), lostAll, lostEach, lostOnce),
	each("HTTP/2: RST_STREAM with PROTOCOL_ERROR, once", overHTTP2(resetStream(codeProtocol), succeed), again, again, lostOnce),
	same("HTTP/2: RST_STREAM with REFUSED_STREAM", overHTTP2(refuseStream), refusedAll),
	same("HTTP/2: RST_STREAM with REFUSED_STREAM, once", overHTTP2(refuseStream, succeed), again),
	same("HTTP/2: a complete response, then RST_STREAM with NO_ERROR", overHTTP2(succeedThenReset), ok),
	each("HTTP/2: RST_STREAM with NO_ERROR after the header", overHTTP2(resetStreamAfterHeader(codeNone)), brokenOff, unreadable, unreadable),
	each("HTTP/2: RST_STREAM with NO_ERROR after the header, once", overHTTP2(resetStreamAfterHeader(codeNone), succeed), again, unreadable, unreadable),
	each("HTTP/2: RST_STREAM with INTERNAL_ERROR after the header", overHTTP2(resetStreamAfterHeader(codeInternal)), brokenOff, unreadable, unreadable),
	each("HTTP/2: RST_STREAM with INTERNAL_ERROR after the header, once", overHTTP2(resetStreamAfterHeader(codeInternal), succeed), again, unreadable, unreadable),
}

var goAwayRows = []row{
	same("HTTP/2: GOAWAY, request not processed", overHTTP2(unprocessed(codeNone)), refusedAll),
	same("HTTP/2: GOAWAY, request not processed, once", overHTTP2(unprocessed(codeNone), succeed), again),
	same("HTTP/2: GOAWAY with ENHANCE_YOUR_CALM, request not processed, once", overHTTP2(unprocessed(codeCalm), succeed), again),
	same("HTTP/2: GOAWAY for all streams, then one for fewer, once", overHTTP2(draining, succeed), again),
	each("HTTP/2: GOAWAY, request processed, no response", overHTTP2(goAwayProcessed(codeNone)), lostAll, lostEach, lostOnce),
	each("HTTP/2: GOAWAY, request processed, no response, once", overHTTP2(goAwayProcessed(codeNone), succeed), again, again, lostOnce),
	each("HTTP/2: GOAWAY with ENHANCE_YOUR_CALM, no response", overHTTP2(goAwayProcessed(codeCalm)), lostAll, lostEach, lostOnce),
	each("HTTP/2: GOAWAY with ENHANCE_YOUR_CALM, no response, once", overHTTP2(goAwayProcessed(codeCalm), succeed), again, again, lostOnce),
	same("HTTP/2: GOAWAY, then success", overHTTP2(goAwayThenSucceed), ok),
	same("HTTP/2: GOAWAY for all streams, then success", overHTTP2(announceThenSucceed), ok),
}
