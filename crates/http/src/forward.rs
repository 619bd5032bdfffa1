//! Requests without TLS through a proxy, which is asked for the whole address: many proxies open tunnels to the port of
//! TLS only.

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Agent, Proxy, config::Config};

/// An agent for addresses of `http` that asks a proxy of that kind for them.
#[must_use]
pub fn forwarding_agent(config: Config, proxy: &Proxy) -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(ForwardConnector);
    let resolver = ToProxy {
        proxy: proxy.uri().clone(),
        resolver: DefaultResolver::default(),
    };
    Agent::with_parts(config, connector, resolver)
}

/// Every host is the proxy's.
#[derive(Debug)]
struct ToProxy {
    proxy: Uri,
    resolver: DefaultResolver,
}

impl Resolver for ToProxy {
    fn resolve(
        &self,
        _: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.resolver.resolve(&self.proxy, config, timeout)
    }
}

#[derive(Debug)]
struct ForwardConnector;

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = Forward<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let authority = details.uri.authority().map(ToString::to_string);
        let host = authority.unwrap_or_default();
        let host = host
            .rsplit_once('@')
            .map_or(host.as_str(), |(_, host)| host);
        Ok(chained.map(|proxy| Forward {
            proxy,
            origin: format!("http://{host}"),
            state: State::Begin,
        }))
    }
}

/// Whether what is sent next is the beginning of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    Within,
}

/// A connection to a proxy, over which whole addresses are asked for.
#[derive(Debug)]
struct Forward<T> {
    proxy: T,
    origin: String,
    state: State,
}

impl<T: Transport> Forward<T> {
    fn send(&mut self, bytes: &[u8], timeout: NextTimeout) -> Result<(), ureq::Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let output = self.proxy.buffers().output();
            let count = rest.len().min(output.len());
            output[..count].copy_from_slice(&rest[..count]);
            self.proxy.transmit_output(count, timeout)?;
            rest = &rest[count..];
        }
        Ok(())
    }
}

impl<T: Transport> Transport for Forward<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.proxy.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.state == State::Within {
            return self.proxy.transmit_output(amount, timeout);
        }
        self.state = State::Within;
        let sent = self.proxy.buffers().output()[..amount].to_vec();
        // `GET /path`: the path is where the first blank ends.
        let path = sent
            .iter()
            .position(|byte| *byte == b' ')
            .map_or(0, |at| at + 1);
        let mut whole = sent[..path].to_vec();
        whole.extend(self.origin.as_bytes());
        whole.extend(&sent[path..]);
        self.send(&whole, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        // Only when one is answered does the next request begin.
        self.state = State::Begin;
        self.proxy.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.proxy.is_open()
    }
}
