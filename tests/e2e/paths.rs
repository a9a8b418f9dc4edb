//! What a path may look like.

use crate::support::each_keystone;

each_keystone! {

async fn slashes_at_the_end_are_dropped_and_doubled_ones_redirected(builder: Builder) {
    let cloud = builder.start().await;
    let admin = cloud.api().admin().await;
    let base = cloud.api().base();

    let list = admin.get("/v3/roles//?name=member").await.expect(200).json();
    assert_eq!(list["links"]["self"], format!("{base}/v3/roles?name=member"));
    let one = format!("/v3/roles/{}/", list["roles"][0]["id"].as_str().unwrap());
    admin.get(&one).await.expect(200);
    cloud.api().get("/v3/").await.expect(200);
    let elsewhere = admin.get("/v3//roles?name=member").await.expect(308);
    assert_eq!(elsewhere.header("Location"), Some(format!("{base}/v3/roles?name=member").as_str()));
}

}
