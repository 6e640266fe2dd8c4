/// Programs that use a running server (`./shadowkv serve`) through other libraries' clients.
package io.shadowkv.examples.client;
