//! Sessions as rows of features: their flows, and which of them announced others.

use features::{Identity, Sample, Schema};
use flow::Flow;
use session::Kind;

use crate::{Analysis, page::sessions};

impl Analysis {
    /// A session as a row of a schema of sessions.
    pub(crate) fn session_features(
        &self,
        number: u32,
        schema: &Schema,
    ) -> Option<(Identity<'_>, Sample)> {
        let sessions = self.sessions();
        let session = sessions.get(number)?;
        let members = session.members;
        let flows: Vec<&Flow> =
            members.iter().filter_map(|it| self.labelled(*it)).map(|it| it.0).collect();
        let place = |flow: u32| members.binary_search(&flow).ok();
        let (mut announced, mut resolved) = (Vec::new(), Vec::new());
        for edge in session.edges {
            let kind = match edge.kind {
                Kind::FtpData { .. } | Kind::Media { .. } => &mut announced,
                Kind::DnsAnswer => &mut resolved,
                _ => continue,
            };
            kind.extend(place(edge.from).zip(place(edge.to)));
        }
        let whole = features::Session { flows: &flows, announced: &announced, resolved: &resolved };
        let (label, _) = sessions::label(self, session)?;
        Some((whole.identity(number, label)?, whole.sample(schema)))
    }
}
